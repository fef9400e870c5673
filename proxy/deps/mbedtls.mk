# SPDX-License-Identifier: Apache-2.0
# Compiles Mbed TLS into $(MBED)/libmbed.a with our configuration and flags.
# Its own build is left aside: it would not be position independent, and it
# builds programs and tests that nobody runs here.

SRC := $(wildcard $(MBED)/src/library/*.c)
OBJ := $(patsubst $(MBED)/src/library/%.c,$(MBED)/obj/%.o,$(SRC))
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
FLAGS := -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=2 -w -I$(MBED)/src/include -I$(MBED)/src/library \
	-I$(HERE) -DMBEDTLS_CONFIG_FILE='"mbedtls_config.h"'

$(MBED)/libmbed.a: $(OBJ)
	@rm -f $@ && ar rcs $@ $^

$(MBED)/obj/%.o: $(MBED)/src/library/%.c $(HERE)mbedtls_config.h
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<
