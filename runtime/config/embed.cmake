# Writes OUTPUT, a C file with the schemas of bide's own files in it. Run as
#   cmake -DFOLDER=schemas/config -DOUTPUT=contract_texts.c -P embed.cmake
cmake_minimum_required(VERSION 3.22)

set(text "/* Made from ${FOLDER} by embed.cmake. */\n#include \"config/contract.h\"\n")
foreach(name bide queues)
    file(READ ${FOLDER}/${name}.yaml hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){1,16})" "    \\1\n" bytes "${bytes}")
    string(APPEND text "\nstatic const unsigned char ${name}[] = {\n${bytes}    0,\n};\n")
endforeach()
string(APPEND text "
const struct contract_text contract_texts[] = {
    [CONTRACT_BIDE] = { \"schemas/config/bide.yaml\", bide, sizeof bide - 1 },
    [CONTRACT_QUEUES] = { \"schemas/config/queues.yaml\", queues, sizeof queues - 1 },
};
")
file(WRITE ${OUTPUT} "${text}")
