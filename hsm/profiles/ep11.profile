title = IBM EP11
key_type = 0x80050002
generate = 0x8005000A
curve = no
sign = 0x8005000B
input = digest
encoding = either
public = either
