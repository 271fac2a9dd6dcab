// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors as values for the plain C++ below the dialects: nothing here throws, prints or exits.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace halftone {

/// What went wrong, for a person: lower case, naming what they know (file, node, tensor, offset) and both values.
struct Error {
  std::string message;
};

/// A value or the reason there is none. Test with `if (!result)`, then read `*result` or `result.error()`.
template <class T> class [[nodiscard]] Expected {
public:
  Expected(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T &operator*() { return get(); }
  const T &operator*() const { return const_cast<Expected *>(this)->get(); }
  T *operator->() { return &get(); }
  const T *operator->() const { return &**this; }
  const Error &error() const {
    assert(!*this && "reading the error of a success");
    return *std::get_if<1>(&state);
  }

private:
  T &get() {
    assert(*this && "reading the value of a failure");
    return *std::get_if<0>(&state);
  }
  std::variant<T, Error> state;
};

/// Success, or the reason there was none: for functions that give nothing back.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failure(std::move(error)) {}
  explicit operator bool() const { return !failure; }
  const Error &error() const { return *failure; }

private:
  std::optional<Error> failure;
};

} // namespace halftone
