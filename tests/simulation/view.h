// What the engine returns, in words of the simulation's own.

#ifndef CX_TESTS_SIMULATION_VIEW_H
#define CX_TESTS_SIMULATION_VIEW_H

extern "C" {
#include "core/state/tracking.h"
}

#include "tests/simulation/request.h"
#include "tests/simulation/shown.h"

namespace simulation {

std::map<std::string, std::string> ShowLabels(const cx_label *labels, size_t count);
Activation ShowActivation(const cx_activation_view &view);
ShownSession ShowSession(const cx_session_view *view);  // nullptr: it is not there.
ShownStatus ShowStatus(const cx_context_status &status);
ShownHistory ShowActivities(const cx_activity_page &page);
ShownFiles ShowFiles(const cx_file_page &page);
ShownResources ShowResources(const cx_resource_page &page);
Usage ShowUsage(const cx_usage_summary &summary);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_VIEW_H
