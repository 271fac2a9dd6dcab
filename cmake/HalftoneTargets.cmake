# How every target of the project is declared: warnings, sanitizers, one static library per folder, one gtest program per tested folder.
find_package(GTest REQUIRED)

add_compile_options(-Wall -Wextra -Werror -Wno-unused-parameter)
if(HALFTONE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# halftone_library(name sources... [LINK libraries...]): a static library of plain C++, no MLIR.
function(halftone_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# halftone_unit_test(name sources... [LINK libraries...]): a gtest program, found by ctest and by scripts/test.sh.
function(halftone_unit_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
