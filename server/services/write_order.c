#include "server/services/write_order.h"

enum cx_status cx_write_order_check(const struct cx_write_order *order, struct cx_error *error)
{
    enum cx_status status;

    if (!order->broken) {
        return CX_OK;
    }
    status = cx_error_set(error, CX_REASON_OVERLOADED,
                          "not tried, as the server was overloaded by one before it in the same "
                          "call; send both again in their order, a little later");
    error->retry_delay_us = order->retry_delay_us;
    return status;
}

void cx_write_order_failed(struct cx_write_order *order, const struct cx_error *error)
{
    if (error->reason == CX_REASON_OVERLOADED && !order->broken) {
        order->broken = true;
        order->retry_delay_us = error->retry_delay_us;
    }
}
