/* shapes, compiled as C++: generated headers are for both. */
#define SHAPES_ID "shapes-cpp"
#include "shapes.c"
