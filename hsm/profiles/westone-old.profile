title = Westone 卫士通 (older devices)
key_type = 0x80000001
generate = 0x80000003
curve = no
sign = 0x80000004
input = digest
encoding = either
public = either
