/* Requests about what was done with a context: its history, and the tables that it feeds.
 * What holds for the converters of requests (convert_request.h) holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_HISTORY_H
#define CX_SERVICES_CONVERT_HISTORY_H

#include "server/services/convert_request.h"

/* An update that records, and wants to know the sequence. */
CX_MUST_CHECK enum cx_status cx_convert_record(struct cx_conversion *conversion,
                                               const RecordActivitiesRequest *message,
                                               struct cx_update_request *ret_request);

/* As if there were no page token. */
CX_MUST_CHECK enum cx_status cx_convert_activity_list(struct cx_conversion *conversion,
                                                      const ListActivitiesRequest *message,
                                                      struct cx_activity_query *ret_query);

/* What makes a history smaller. */
CX_MUST_CHECK enum cx_status cx_convert_optimize(struct cx_conversion *conversion,
                                                 const OptimizeHistoryRequest *message,
                                                 struct cx_optimize_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_truncate(struct cx_conversion *conversion,
                                                 const TruncateHistoryRequest *message,
                                                 struct cx_truncate_request *ret_request);

/* All but `after`, which is in the page token. */
CX_MUST_CHECK enum cx_status cx_convert_file_list(struct cx_conversion *conversion,
                                                  const ListFilesRequest *message,
                                                  struct cx_tracked_query *ret_query);
CX_MUST_CHECK enum cx_status cx_convert_resource_list(struct cx_conversion *conversion,
                                                      const ListResourcesRequest *message,
                                                      struct cx_tracked_query *ret_query);

#endif /* CX_SERVICES_CONVERT_HISTORY_H */
