# What the standard alone can say: an SM2 key is an EC key on its curve, and nothing signs with it. For RSA and ECDSA.
title = PKCS#11 without SM2 signatures
key_type = 0x3
generate = 0x1040
curve = yes
sign = none
public = either
