/* Everything a guest may use. */
#pragma once
#include "console.h"
#include "core.h"
#include "exception.h"
#include "gic.h"
#include "lock.h"
#include "sysreg.h"
