# Writes OUTPUT, a C file with the schemas of bide's own files in it. Run as
#   cmake -DFOLDER=schemas/config -DOUTPUT=own_schema_texts.c -P embed.cmake
cmake_minimum_required(VERSION 3.22)

set(text "/* Made from ${FOLDER} by embed.cmake. */\n#include \"config/own_schema.h\"\n")
foreach(name bide queues)
    file(READ ${FOLDER}/${name}.yaml hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){1,16})" "    \\1\n" bytes "${bytes}")
    string(APPEND text "\nstatic const unsigned char ${name}[] = {\n${bytes}    0,\n};\n")
endforeach()
string(APPEND text "
const struct own_schema_text own_schema_texts[] = {
    [OWN_SCHEMA_BIDE] = { \"schemas/config/bide.yaml\", bide, sizeof bide - 1 },
    [OWN_SCHEMA_QUEUES] = { \"schemas/config/queues.yaml\", queues, sizeof queues - 1 },
};
")
file(WRITE ${OUTPUT} "${text}")
