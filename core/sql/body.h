/* Where a statement ends that has others inside. */
#ifndef TENON_BODY_H
#define TENON_BODY_H

#include "lexer.h"

/* Follow a token that is neither blank nor comment: phase and depths of the
 * lexer are then those that hold behind it. */
void tn_body_follow(struct tn_lexer *lexer, const struct tn_token *token);

#endif
