// RUN: qopt %s --split-input-file --verify-diagnostics --split-targets
// RUN: qopt %s --split-input-file --verify-diagnostics --choose-kernels
// RUN: qopt %s --split-input-file --verify-diagnostics --emit-entries
// RUN: qopt %s --split-input-file --verify-diagnostics --emit-variants
// Every pass that reads the targets says so when they are none.

// expected-error @below {{halftone.targets is [], not a list of targets}}
module attributes {halftone.targets = []} {
}

// -----

// expected-error @below {{halftone.targets is [1, 2], not a list of targets}}
module attributes {halftone.targets = [1, 2]} {
}

// -----

// expected-error @below {{halftone.targets is "x86-64-v3", not a list of targets}}
module attributes {halftone.targets = "x86-64-v3"} {
}
