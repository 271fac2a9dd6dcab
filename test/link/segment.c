/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Stands for a model and its runtime in the tests of lib/link: finds the weight segment as the runtime does and shows it.
 * usage: segment                the segment's size and the address's remainder modulo 64 KiB
 *        segment OFFSET COUNT   COUNT bytes of the segment from OFFSET, to stdout
 *        segment write          writes to the segment, which must end the program */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* What a linker must not let overlap the segment: zeros that memory has and the file has not. */
char after_the_data[300000];

/* Called by nobody: --gc-sections drops it. */
int halftone_test_unreached(void) { return 1; }

__attribute__((noinline)) static const Elf64_Phdr *halftone_test_find(void) {
  const Elf64_Phdr *header = (const Elf64_Phdr *)getauxval(AT_PHDR);
  const Elf64_Phdr *found = NULL;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); ++i)
    if (header[i].p_type == PT_LOAD)
      found = &header[i];
  return found;
}

int main(int argc, char **argv) {
  const Elf64_Phdr *found = halftone_test_find();
  for (size_t i = 0; i < sizeof(after_the_data); ++i)
    if (after_the_data[i] != 0)
      return 3;
  memset(after_the_data, argc, sizeof(after_the_data));
  char *segment = (char *)found->p_vaddr;
  if (argc == 3)
    return fwrite(segment + atoll(argv[1]), 1, strtoull(argv[2], NULL, 10), stdout) == 0;
  if (argc == 2)
    segment[0] = 'x';
  printf("%llu %llu\n", (unsigned long long)found->p_memsz, (unsigned long long)found->p_vaddr % 65536);
  return 0;
}
