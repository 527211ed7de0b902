/* A description that ends too early. */
#define SIZE 20
#include "raw.h"
