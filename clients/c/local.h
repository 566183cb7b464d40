/* Inside the client library: which addresses are of this machine. */

#ifndef CXC_LOCAL_H
#define CXC_LOCAL_H

#include <stdbool.h>

/* Whether what is sent to an address of gRPC's stays on this machine: loopback, `localhost`, or
 * a socket in its file system. False where that takes asking a name server. */
bool cxc_address_is_local(const char *address);

#endif /* CXC_LOCAL_H */
