// RUN: qopt %s --split-input-file --verify-diagnostics --plan-memory
// A frame can be planned when every function called has one, and none lies in itself.

func.func private @outside()
func.func @caller() {
  // expected-error @below {{the memory of 'outside' cannot be planned: it has no body}}
  call @outside() : () -> ()
  return
}

// -----

func.func @again() {
  // expected-error @below {{the memory of 'again' cannot be planned: it calls itself}}
  call @again() : () -> ()
  return
}

// -----

func.func @ping() {
  call @pong() : () -> ()
  return
}
func.func @pong() {
  // expected-error @below {{the memory of 'ping' cannot be planned: it calls itself}}
  call @ping() : () -> ()
  return
}
