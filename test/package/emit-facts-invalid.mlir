// RUN: qopt %s --split-input-file --verify-diagnostics --emit-facts

// expected-error @+1 {{the module has no integer attribute 'halftone.vocabulary' to put into its facts}}
module {
}

// -----

// expected-error @+1 {{the module has no integer attribute 'halftone.cache_bytes' to put into its facts}}
module attributes {
  halftone.vocabulary = 512 : i64, halftone.context = 256 : i64, halftone.chunk = 32 : i64, halftone.token_step = 8 : i64,
  halftone.arena_bytes = 4096 : i64, halftone.cache_positions = 16 : i64
} {
}
