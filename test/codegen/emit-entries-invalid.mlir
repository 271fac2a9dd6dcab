// RUN: qopt %s --verify-diagnostics --emit-entries

// expected-error @below {{no function 'decode'}}
module {
}
