#include "core/state/tracking.h"

#include "core/base/memory.h"
#include "core/state/activity.h"
#include "core/state/file.h"

void cx_session_view_free(struct cx_session_view *view)
{
    cx_free(view);
}

void cx_session_page_done(struct cx_session_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        cx_session_view_free(page->rows[i]);
    }
    cx_free(page->rows);
    *page = (struct cx_session_page){0};
}

void cx_context_status_done(struct cx_context_status *status)
{
    cx_free(status->memory);
    *status = (struct cx_context_status){0};
}

void cx_activity_data_copy(const struct cx_activity_view *view, uint8_t *memory)
{
    cx_activity_read(view->activity, memory);
}

void cx_activity_page_done(struct cx_activity_page *page)
{
    cx_free(page->rows);
    cx_tree_done(&cx_activity_class, &page->history);
    *page = (struct cx_activity_page){0};
}

void cx_file_page_done(struct cx_file_page *page)
{
    cx_free(page->rows);
    cx_tree_done(&cx_file_class, &page->files);
    *page = (struct cx_file_page){0};
}

void cx_usage_summary_done(struct cx_usage_summary *summary)
{
    cx_free(summary->totals);
    *summary = (struct cx_usage_summary){0};
}
