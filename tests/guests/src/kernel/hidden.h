/* Included before everything else: no symbol is looked up at run time, so no access goes through a table of addresses. */
#pragma GCC visibility push(hidden)
