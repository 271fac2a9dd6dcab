# Passes and dialects that qopt loads.
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# halftone_add_plugin(name sources... [DEPENDS tablegen targets...]) defines the module name.so for qopt's --load-pass-plugin and
# --load-dialect-plugin. It sees all headers of halftone and of MLIR; what it uses of them it finds in qopt when it is loaded.
function(halftone_add_plugin name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  find_package(MLIR REQUIRED CONFIG PATHS /usr/lib/llvm-22)
  separate_arguments(definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
  add_library(${name} MODULE ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES PREFIX "")
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_definitions(${name} PRIVATE ${definitions})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_include_directories(${name} PRIVATE ${Halftone_INCLUDE_DIRS} ${CMAKE_CURRENT_BINARY_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()
