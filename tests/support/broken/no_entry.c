/* Has no entry point, but a symbol with a long name: its place in the table of
 * strings is where a test writes the name of a library to depend on. */
#include <tenon/base.h>

TN_API void tn_room_for_a_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx(void);

void
tn_room_for_a_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx(void)
{
}
