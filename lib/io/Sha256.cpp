// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 by OpenSSL.
#include "lib/io/Sha256.h"

#include <cstdlib>
#include <openssl/evp.h>

namespace halftone::io {

/// OpenSSL reports that memory ran out, or that a hash is not in the library; for this one only the former can be.
static void check(bool worked) {
  if (!worked)
    abort();
}

void Sha256::Free::operator()(evp_md_ctx_st *context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context(EVP_MD_CTX_new()) {
  check(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  check(EVP_DigestFinal_ex(context.get(), digest, &length) == 1);
  std::string digits;
  for (unsigned i = 0; i < length; ++i)
    for (const int digit : {digest[i] >> 4, digest[i] & 15})
      digits += "0123456789abcdef"[digit];
  return digits;
}

std::string sha256Hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

} // namespace halftone::io
