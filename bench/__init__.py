"""The benchmark: what one relayed call, one relayed stream event, an idle process and a start cost, beside nginx.

`python -m bench` runs it and prints one table. The figure is the CPU time of the gateway's processes as the kernel
counts it, not the wall clock, so a busy machine blurs it far less.
"""
