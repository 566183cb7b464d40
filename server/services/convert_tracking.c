#include "server/services/convert_tracking.h"

Activation *cx_activation_message(struct cx_draft *draft, const struct cx_activation_view *view)
{
    Activation *message;

    if (view->context_id.size == 0) {
        return NULL;
    }
    message = cx_draft_alloc(draft, sizeof *message);
    if (message == NULL) {
        return NULL;
    }
    *message = (Activation)CONTEXTD__V1__ACTIVATION__INIT;
    message->context_id = cx_draft_text(draft, view->context_id);
    message->fence = view->fence;
    message->exclusive = view->exclusive;
    message->time = cx_draft_time(draft, view->time_us);
    return message;
}

static void add_activations(struct cx_draft *draft, const struct cx_session_view *view,
                            Session *message)
{
    Activation **activations = cx_draft_alloc(draft, view->activation_count * sizeof(Activation *));

    for (size_t i = 0; i < view->activation_count && !draft->failed; i++) {
        activations[i] = cx_activation_message(draft, &view->activations[i]);
    }
    if (!draft->failed) {
        message->activations = activations;
        message->n_activations = view->activation_count;
    }
}

Session *cx_session_message(struct cx_draft *draft, const struct cx_session_view *view)
{
    Session *message;

    if (view == NULL) {
        return NULL;
    }
    message = cx_draft_alloc(draft, sizeof *message);
    if (message == NULL) {
        return NULL;
    }
    *message = (Session)CONTEXTD__V1__SESSION__INIT;
    message->namespace_ = cx_draft_text(draft, view->namespace_id);
    message->id = cx_draft_text(draft, view->id);
    message->owner = cx_draft_text(draft, view->owner);
    message->metadata = cx_draft_labels(draft, &contextd__v1__session__metadata_entry__descriptor,
                                        view->labels, view->label_count, &message->n_metadata);
    message->create_time = cx_draft_time(draft, view->create_time_us);
    message->expire_time = cx_draft_time(draft, view->expire_time_us);
    message->current_context_id = cx_draft_text(draft, view->current_context_id);
    add_activations(draft, view, message);
    return message;
}

Resource *cx_resource_message(struct cx_draft *draft, const struct cx_resource_view *view)
{
    Resource *message = cx_draft_alloc(draft, sizeof *message);

    if (message == NULL) {
        return NULL;
    }
    *message = (Resource)CONTEXTD__V1__RESOURCE__INIT;
    message->name = cx_draft_text(draft, view->name);
    message->type = cx_draft_text(draft, view->type);
    message->session_id = cx_draft_text(draft, view->session_id);
    message->metadata = cx_draft_labels(draft, &contextd__v1__resource__metadata_entry__descriptor,
                                        view->labels, view->label_count, &message->n_metadata);
    message->time = cx_draft_time(draft, view->time_us);
    return message;
}
