# SPDX-License-Identifier: Apache-2.0
# Compiles Mbed TLS into $(OUT) with our configuration and flags; with ACCEL=1
# also what stands in for its primitives (proxy/accel).  Its own build is left
# aside: it would not be position independent, and it builds programs and tests
# that nobody runs here.

SRC := $(wildcard $(MBED)/src/library/*.c)
O := $(MBED)/obj-$(ACCEL)
OBJ := $(patsubst $(MBED)/src/library/%.c,$(O)/%.o,$(SRC))
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
FLAGS := -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=2 -I$(MBED)/src/include -I$(MBED)/src/library \
	-I$(HERE) -DMBEDTLS_CONFIG_FILE='"dinv_mbedtls_config.h"'
ifeq ($(ACCEL),1)
FLAGS += -DDINV_ACCEL -I$(HERE)../accel
ACCEL_SRC := $(wildcard $(HERE)../accel/*.c)
OBJ += $(patsubst $(HERE)../accel/%.c,$(O)/accel/%.o,$(ACCEL_SRC))
endif

$(OUT): $(OBJ)
	@rm -f $@ && ar rcs $@ $^

$(O)/%.o: $(MBED)/src/library/%.c $(HERE)dinv_mbedtls_config.h
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -w -c -o $@ $<

$(O)/accel/%.o: $(HERE)../accel/%.c $(wildcard $(HERE)../accel/*.h) \
		$(HERE)dinv_mbedtls_config.h
	@mkdir -p $(@D)
	@$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow $(FLAGS) -c -o $@ $<
