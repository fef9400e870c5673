# SPDX-License-Identifier: Apache-2.0
"""Requests that two readers could read in two ways; what dockerd makes of each."""
