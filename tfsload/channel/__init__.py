"""gRPC channels for a gevent process; `tfsload.channel.connect` opens one."""
