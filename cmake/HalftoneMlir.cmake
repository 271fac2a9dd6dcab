# MLIR 22 from the system, and how dialects, passes and tools that use it are declared.
# Only the shared libraries MLIR and LLVM are linked: naming a static MLIR* archive beside them embeds a second MLIR silently.
find_package(MLIR REQUIRED CONFIG PATHS /usr/lib/llvm-22)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "halftone needs MLIR 22, found ${LLVM_VERSION_MAJOR}")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(HALFTONE_LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})
add_definitions(${HALFTONE_LLVM_DEFINITIONS})

# One precompiled header, reused by every MLIR target. Without timestamps inside, the same text gives the same bytes, and ccache's
# results hold after the build folder was wiped.
add_library(halftone_mlir_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(halftone_mlir_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
target_compile_options(halftone_mlir_pch PRIVATE -fno-exceptions -Xclang -fno-pch-timestamp)

# halftone_mlir_library(name sources... [LINK libraries...] [DEPENDS tablegen targets...])
function(halftone_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_precompile_headers(${name} REUSE_FROM halftone_mlir_pch)
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# halftone_stage(name sources... [LINK libraries...]): the passes of one stage, declared in its Passes.td.
function(halftone_stage name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(halftone_${name}_passes_tablegen)
  halftone_mlir_library(halftone_${name} ${ARG_UNPARSED_ARGUMENTS}
    LINK ${ARG_LINK} halftone_kernel halftone_lowbit halftone_onnx_dialect
    DEPENDS halftone_${name}_passes_tablegen halftone_lowbit_tablegen halftone_kernel_tablegen halftone_onnx_tablegen)
endfunction()
