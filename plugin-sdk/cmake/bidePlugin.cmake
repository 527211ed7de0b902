# bide_plugin(refunds refunds.c ...) builds refunds.so, ready to be copied into the plugin directory: one
# exported symbol, and nothing left to be found at load time.
function(bide_plugin name)
    add_library(${name} MODULE ${ARGN})
    target_link_libraries(${name} PRIVATE bide::sdk)
    set_target_properties(${name} PROPERTIES
        PREFIX "" C_STANDARD 11 C_STANDARD_REQUIRED ON C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    # A symbol that is missing is a link error here rather than a refusal by the server. Sanitizers
    # are the exception: theirs come from the program that loads the plugin.
    if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize" AND NOT BIDE_SANITIZE)
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
endfunction()
