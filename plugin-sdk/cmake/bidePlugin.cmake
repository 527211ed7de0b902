# Building plugins: shared objects with one exported symbol and nothing left to be found at load time,
# ready to be copied into the plugin directory.
#
#   bide_add_plugin(NAME refunds SOURCES refunds.c SCHEMA schemas/approve-refund.yaml)
#
# builds refunds.so; its target is plugin_refunds. For each schema it makes a header, here
# "approve-refund.schema.h", before the sources are compiled, and again when the schema changes: what no
# longer fits fails to compile. LIBRARIES names what else to link. The program that makes the headers is
# `bide` itself: the target of that name, or what is in the PATH or in BIDE_PROGRAM.
#
#   bide_plugin(refunds refunds.c)
#
# is for plugins that read their values by hand: the target has the plugin's name.

# In the source tree: the header is beside this folder.
if(NOT TARGET bide::sdk AND EXISTS "${CMAKE_CURRENT_LIST_DIR}/../include/bide/bide.h")
    add_library(bide::sdk INTERFACE IMPORTED)
    get_filename_component(bide_include "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
    set_target_properties(bide::sdk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${bide_include}")
endif()

# How a target is built and linked.
function(bide_plugin_target target)
    target_link_libraries(${target} PRIVATE bide::sdk)
    set_target_properties(${target} PROPERTIES
        PREFIX "" C_STANDARD 11 C_STANDARD_REQUIRED ON C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    # A symbol that is missing is a link error here rather than a refusal by the server. Sanitizers
    # are the exception: theirs come from the program that loads the plugin.
    if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize" AND NOT BIDE_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
endfunction()

function(bide_plugin name)
    add_library(${name} MODULE ${ARGN})
    bide_plugin_target(${name})
endfunction()

# The program and what a rule that uses it depends on. BIDE_LAUNCHER goes before a `bide` that is built
# in the same tree.
function(bide_find_program program dependency)
    if(TARGET bide)
        set(${program} ${BIDE_LAUNCHER} $<TARGET_FILE:bide> PARENT_SCOPE)
        set(${dependency} bide PARENT_SCOPE)
        return()
    endif()
    find_program(BIDE_PROGRAM bide DOC "makes headers of schemas")
    if(NOT BIDE_PROGRAM)
        message(FATAL_ERROR "bide makes the headers of schemas, and is not in the PATH: install it, "
            "or say where it is with -DBIDE_PROGRAM=/path/to/bide")
    endif()
    set(${program} ${BIDE_PROGRAM} PARENT_SCOPE)
    set(${dependency} ${BIDE_PROGRAM} PARENT_SCOPE)
endfunction()

cmake_policy(PUSH)
if(POLICY CMP0116)
    cmake_policy(SET CMP0116 NEW) # depfiles may name files by their whole paths
endif()

# <stem>.schema.h for a schema, in the include path of the target.
function(bide_schema_header target schema)
    get_filename_component(schema "${schema}" ABSOLUTE)
    get_filename_component(name "${schema}" NAME)
    string(REGEX REPLACE "\\.ya?ml$" "" stem "${name}")
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}_headers)
    set(header ${folder}/${stem}.schema.h)
    file(MAKE_DIRECTORY ${folder})
    bide_find_program(program dependency)

    # A header that stays the same is left alone, and what includes it is not compiled again. Make
    # judges by the file's time, so there it is always new.
    set(rule COMMAND ${program} schemas header ${schema} --output ${header})
    if(NOT CMAKE_VERSION VERSION_LESS 3.20)
        list(APPEND rule --depfile ${header}.d DEPFILE ${header}.d)
    endif()
    if(NOT CMAKE_GENERATOR MATCHES "Ninja")
        list(APPEND rule COMMAND ${CMAKE_COMMAND} -E touch ${header})
    endif()
    add_custom_command(OUTPUT ${header} ${rule} DEPENDS ${schema} ${dependency}
        COMMENT "Types of ${name}" VERBATIM)
    target_sources(${target} PRIVATE ${header})
    target_include_directories(${target} PRIVATE ${folder})
endfunction()
cmake_policy(POP)

function(bide_add_plugin)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;SCHEMA;LIBRARIES")
    if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "bide_add_plugin(NAME name SOURCES file... [SCHEMA file...] "
            "[LIBRARIES library...])")
    endif()
    add_library(plugin_${arg_NAME} MODULE ${arg_SOURCES})
    bide_plugin_target(plugin_${arg_NAME})
    set_target_properties(plugin_${arg_NAME} PROPERTIES OUTPUT_NAME ${arg_NAME})
    target_link_libraries(plugin_${arg_NAME} PRIVATE ${arg_LIBRARIES})
    foreach(schema IN LISTS arg_SCHEMA)
        bide_schema_header(plugin_${arg_NAME} "${schema}")
    endforeach()
endfunction()
