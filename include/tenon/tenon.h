/* All of Tenon's interface for applications. */
#ifndef TENON_TENON_H
#define TENON_TENON_H

#include <tenon/async.h>
#include <tenon/base.h>
#include <tenon/bulk.h>
#include <tenon/clock.h>
#include <tenon/config.h>
#include <tenon/conn.h>
#include <tenon/dispatch.h>
#include <tenon/engine.h>
#include <tenon/err.h>
#include <tenon/event.h>
#include <tenon/facade.h>
#include <tenon/journal.h>
#include <tenon/log.h>
#include <tenon/memory.h>
#include <tenon/metrics.h>
#include <tenon/plugin.h>
#include <tenon/pool.h>
#include <tenon/position.h>
#include <tenon/provider.h>
#include <tenon/registry.h>
#include <tenon/result.h>
#include <tenon/retry.h>
#include <tenon/scope.h>
#include <tenon/two_phase.h>
#include <tenon/txn.h>
#include <tenon/url.h>
#include <tenon/value.h>

#endif
