/* In Criterion programs what gives up fails the test with its sentence; elsewhere it aborts. */
#include "client.h"

#include <criterion/criterion.h>

void give_up_report(const char *sentence)
{
    cr_assert_fail("%s", sentence);
}
