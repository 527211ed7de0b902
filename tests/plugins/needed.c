/* The library of needy.c. */
int needed(void);

int needed(void)
{
    return 42;
}
