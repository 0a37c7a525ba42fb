# SPDX-License-Identifier: Apache-2.0
"""What rows are measured with: the clock, the programs, the contexts they build, and the report."""
