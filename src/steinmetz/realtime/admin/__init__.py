"""The server as Socket.IO's Admin UI shows it: https://socket.io/docs/v4/admin-ui/"""
