/* What it means when a server cannot be reached, in words and reasons: gRPC tells it in
 * texts of its own. */

#ifndef CXC_REACH_H
#define CXC_REACH_H

#include "clients/c/contextd.h"

/* Explains an error that has no reason of contextd's, of a client with or without TLS. The
 * message becomes a sentence, with gRPC's own behind it. What no repeat mends gets one of the
 * reasons CERTIFICATE_REJECTED and WRONG_SERVER, or becomes UNAUTHENTICATED. Others are as
 * they were. */
void cxc_error_explain(struct cxc_error *error, bool tls);

#endif /* CXC_REACH_H */
