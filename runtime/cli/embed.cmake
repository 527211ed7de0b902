# Writes OUTPUT, a C file with every file under FOLDER in it. Run as
#   cmake -DFOLDER=plugin-sdk/template -DSDK=plugin-sdk -DOUTPUT=template_files.c -P embed.cmake
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE paths LIST_DIRECTORIES false RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT paths)

set(arrays "")
set(rows "")
set(number 0)
foreach(path IN LISTS paths)
    file(READ ${FOLDER}/${path} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){1,16})" "    \\1\n" bytes "${bytes}")
    # One byte more than there is: C has no empty array.
    string(APPEND arrays "static const unsigned char file_${number}[] = {\n${bytes}    0,\n};\n\n")
    string(APPEND rows "    { \"${path}\", file_${number}, sizeof file_${number} - 1 },\n")
    math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT} "/* Made from ${FOLDER} by embed.cmake. */
#include \"cli/template.h\"

${arrays}const struct template_file template_files[] = {
${rows}    { NULL, NULL, 0 },
};

const char template_sdk[] = \"${SDK}\";
")
