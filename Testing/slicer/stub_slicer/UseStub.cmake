set(STUB_INSTALLED ${CMAKE_BINARY_DIR}/installed.txt)
file(WRITE ${STUB_INSTALLED} "")

# As in Slicer: listed files must exist.
function(stub_install)
  foreach(file ${ARGN})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "${file} is listed but does not exist")
    endif()
    file(RELATIVE_PATH place ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    file(APPEND ${STUB_INSTALLED} "${place}\n")
  endforeach()
endfunction()

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  stub_install(${MY_SCRIPTS} ${MY_RESOURCES})
endfunction()

function(ctkMacroCompilePythonScript)
  cmake_parse_arguments(
    MY "NO_INSTALL_SUBDIR" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR" "SCRIPTS;RESOURCES" ${ARGN})
  stub_install(${MY_SCRIPTS} ${MY_RESOURCES})
endfunction()

function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT" "" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT})
    message(FATAL_ERROR "${MY_SCRIPT} is a test but does not exist")
  endif()
endfunction()

set(BUILD_TESTING ON)
