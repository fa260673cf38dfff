#include "cluster/protocol.h"

size_t report_size(const ReportMessage* report) {
  return offsetof(ReportMessage, notes) + (size_t)report->note_count * sizeof *report->notes;
}

size_t order_size(const OrderMessage* order) {
  return offsetof(OrderMessage, notes) + (size_t)order->note_count * sizeof *order->notes;
}
