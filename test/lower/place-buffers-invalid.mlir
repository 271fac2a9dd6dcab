// RUN: qopt %s --split-input-file --verify-diagnostics --place-buffers
// Buffers hold tensors and activations.

func.func @size(%n: index) -> index {
  // expected-error @below {{gives 'index', which no buffer holds}}
  return %n : index
}

// -----

func.func private @outside() -> index
func.func @caller() {
  // expected-error @below {{gives 'index', which no buffer holds}}
  %n = call @outside() : () -> index
  return
}

// -----

func.func @kernel(%n: index) {
  // expected-error @below {{gives 'index', which no buffer holds}}
  %m = lowbit.kernel {
    lowbit.yield %n : index
  } : index
  return
}
