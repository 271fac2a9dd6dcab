// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The few functions of the C++ library that headers call: with them, an emitted binary links without libstdc++, which
// would bring exceptions, locales and a demangler. Not part of halftone_runtime_lib: tests have the real ones.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unistd.h>

/// No memory, or a broken promise in this program: nothing sensible can follow. A model that is a part of another
/// program neither speaks for that nor ends it in order.
[[noreturn]] static void die([[maybe_unused]] const char *message) {
#ifdef HALFTONE_IN_LIBRARY
  __builtin_trap();
#else
  (void)!write(STDERR_FILENO, message, std::strlen(message));
  (void)!write(STDERR_FILENO, "\n", 1);
  std::_Exit(1);
#endif
}

static void *allocate(size_t bytes, size_t alignment) {
  void *memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(bytes ? bytes : 1)
                     : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory)
    die("error: out of memory");
  return memory;
}

void *operator new(size_t bytes) { return allocate(bytes, 1); }
void *operator new[](size_t bytes) { return allocate(bytes, 1); }
void *operator new(size_t bytes, std::align_val_t alignment) { return allocate(bytes, static_cast<size_t>(alignment)); }
void *operator new(size_t bytes, const std::nothrow_t &) noexcept { return std::malloc(bytes ? bytes : 1); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
void operator delete[](void *memory, size_t) noexcept { std::free(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void *memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void *memory, const std::nothrow_t &) noexcept { std::free(memory); }

namespace std {
const nothrow_t nothrow{};
void __throw_bad_alloc() { die("error: out of memory"); }
void __throw_bad_array_new_length() { die("error: out of memory"); }
void __throw_length_error(const char *what) { die(what); }
void __throw_logic_error(const char *what) { die(what); }
void __throw_out_of_range(const char *what) { die(what); }
void __throw_out_of_range_fmt(const char *what, ...) { die(what); }
} // namespace std

extern "C" void __cxa_pure_virtual() { die("error: pure virtual call"); }
