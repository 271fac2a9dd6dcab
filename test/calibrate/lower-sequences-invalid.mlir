// RUN: qopt %s -split-input-file -verify-diagnostics --lower-sequences=length=16

func.func @past(%q: tensor<?x8xf32>, %cache: !lowbit.cache<heads 2, size 4>, %past: index) -> tensor<?x8xf32> {
  // expected-error@+1 {{reads a cache that this function did not append to}}
  %a = lowbit.attention %q, %cache at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  return %a : tensor<?x8xf32>
}

