# A model, compiled when the project that uses it is built.
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# halftone_add_model(name model.onnx [TOKENIZER file] [OPTIONS options of halftone compile...] [DEPENDS files...])
# defines the library `name`: link it, include "name.h", use the constant `name` (include/halftone/session.h). The model is
# compiled again when a file among model, tokenizer and DEPENDS changes, such as its external data.
function(halftone_add_model name model)
  cmake_parse_arguments(ARG "" "TOKENIZER" "OPTIONS;DEPENDS" ${ARGN})
  get_filename_component(model "${model}" ABSOLUTE)
  set(tokenizer "")
  if(ARG_TOKENIZER)
    get_filename_component(file "${ARG_TOKENIZER}" ABSOLUTE)
    set(tokenizer --tokenizer=${file})
    list(APPEND ARG_DEPENDS "${file}")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${name}.model")
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT "${folder}/${name}.a" BYPRODUCTS "${folder}/${name}.h"
    COMMAND "${Halftone_PROGRAM}" compile "${model}" ${tokenizer} ${ARG_OPTIONS} --emit=lib -o "${folder}/${name}.a"
    DEPENDS "${model}" ${ARG_DEPENDS} "${Halftone_PROGRAM}"
    COMMENT "Compiling the model ${name}" VERBATIM)
  add_custom_target(${name}_model DEPENDS "${folder}/${name}.a")
  find_package(Threads REQUIRED)
  add_library(${name} STATIC IMPORTED)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${folder}/${name}.a"
    INTERFACE_INCLUDE_DIRECTORIES "${folder}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  add_dependencies(${name} ${name}_model)
endfunction()
