/* Its entry point is data: calling it would end the process. */
#include <tenon/base.h>

TN_API extern const int tn_plugin_entry;
const int tn_plugin_entry = 5;
