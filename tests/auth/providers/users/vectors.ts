/**
 * Hashes that other programs have made, each with the command that made it.
 *
 * @module
 */

/** A hash, its password, and the command of Debian 12 that made it. */
export interface Vector {
  readonly made: string;
  readonly password: string;
  readonly hash: string;
}

const PASSWORD = "correct horse";
const UNICODE = "grüße, ключ";
/** Longer than a block of any of the digests, and than bcrypt's 72 octets. */
const LONG = "long ".repeat(40);

/** One of each kind that is taken, and its corners. */
export const VECTORS: readonly Vector[] = [
  {
    made: "printf secret | argon2 0123456789abcdef -id -t 2 -k 19456 -p 1 -e",
    password: "secret",
    hash:
      "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus",
  },
  {
    made: "printf pw | argon2 somesalt -id -t 1 -k 8 -p 1 -l 16 -e",
    password: "pw",
    hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg",
  },
  {
    made:
      `printf '${UNICODE}' | argon2 0123456789abcdef -id -t 2 -k 64 -p 4 -e`,
    password: UNICODE,
    hash:
      "$argon2id$v=19$m=64,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$oaL4yd+v0MiZdqTri7ADacw7XsD7CXo++KUXxwqKWKY",
  },
  {
    made: "printf pw | argon2 somesalt -i -t 3 -k 32 -p 2 -e",
    password: "pw",
    hash:
      "$argon2i$v=19$m=32,t=3,p=2$c29tZXNhbHQ$la/fgDDi25ykVHu7Zjzugexbo8zXz+Hn00FXR5uvmcg",
  },
  {
    made: "doveadm pw -s ARGON2ID -p 'correct horse'",
    password: PASSWORD,
    hash:
      "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$hkoJ0meZ5sLtoJyxmymKrQ$3wvKhDbe76bXG3ZCilj4joI8ARWlvVYtohAeHT1tenw",
  },
  {
    made: "htpasswd -nbB ann 'correct horse'",
    password: PASSWORD,
    hash: "$2y$05$2O4KTUN/Q3cA/sXhg4dKv.yGyubWbv1.qLiSkhnVI5Td6VTvwi9RO",
  },
  {
    made: `htpasswd -nbB -C 4 ann '${UNICODE}'`,
    password: UNICODE,
    hash: "$2y$04$7VVy4jVBLoy3yYBaEyDFa.3tK3frnrWiCmeZ4UyhM6i1b4S02itJi",
  },
  {
    made: "htpasswd -nbB -C 4 ann (40 times 'long ')",
    password: LONG,
    hash: "$2y$04$svgsKGmSrgxXhJC0qzbAEOw2GelWPlvxE0ipaO0IKK0doaxNM1vTG",
  },
  {
    made: "mkpasswd -m bcrypt -R 4 pw",
    password: "pw",
    hash: "$2b$05$KUwAiajkz4uAw.jO2xD8ue/qHr3Ff/Bdv3dAYG.QNANYCXVYenohO",
  },
  {
    made: "mkpasswd -m bcrypt-a -R 4 pw",
    password: "pw",
    hash: "$2a$05$I19WFT59XET5gujfE2hAtOPpT.yFhnaAzwdDh3OU3AglbOy9JCtJy",
  },
  {
    made: "doveadm pw -s BLF-CRYPT -p 'correct horse'",
    password: PASSWORD,
    hash:
      "{BLF-CRYPT}$2y$05$mW9Cn/FAopD2SPVB8bNYGOSjXFghRLi5tib3c0OF3ItKthR66PpEu",
  },
  {
    made: "doveadm pw -s CRYPT -p 'correct horse'",
    password: PASSWORD,
    hash: "{CRYPT}$2y$05$ZMvg6jVZAYNktKc8SgYAu.ei5nbRtK.7a3oTB9UeKBnBgkoyfMN5y",
  },
  {
    made: "openssl passwd -6 -salt saltsalt 'correct horse'",
    password: PASSWORD,
    hash:
      "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
  },
  {
    made: `openssl passwd -6 -salt 0123456789abcdef '${UNICODE}'`,
    password: UNICODE,
    hash:
      "$6$0123456789abcdef$CCtvcaavYwSJAcE4qQzYctJjSu0CIsPmioW.t1CsLeDf1tuOAggki0QzoVeIoe2anpuf3YBmBAug9.48A/uCQ1",
  },
  {
    made: "openssl passwd -6 -salt longlong (40 times 'long ')",
    password: LONG,
    hash:
      "$6$longlong$BalJVI9TceDDMoRRoQOe5LTJymdtrVwtJsgiappN/2delH0Fg.gVyr7XQbiZqgGps8Ky6v/3DguMa6/uHKpZM1",
  },
  {
    made: "openssl passwd -6 -salt s pw",
    password: "pw",
    hash:
      "$6$s$V98HlhDkB0XlUtnk5HzECtK0cfibEuztpjiNXAgFB2cZO81oDS5bpjHIdUbVWnFUchuQQ7tJ314GzncjyVQgX.",
  },
  {
    made: "mkpasswd -m sha512crypt -R 1000 -S saltstring pw",
    password: "pw",
    hash:
      "$6$rounds=1000$saltstring$FWomhVmv2dtVsDXG1NG.ZBdQPTerw.1Tj5e6HZuDv7qku4lSS9JOqJP1ud.caf9HRFFSQCTwVrZEczm8QkGpR0",
  },
  {
    made: "doveadm pw -s SHA512-CRYPT -p 'correct horse'",
    password: PASSWORD,
    hash:
      "{SHA512-CRYPT}$6$C8Qxad6qERpJzmbk$xNfPw8lWLZ93lHiPGRIOd5sr656/alB1Xuzp2VLIdADPcMBsDaNgNPFmVzgUI1Cfzvl9cbUhK0egxOdXoaIrD/",
  },
  {
    made: "htpasswd -nb5 ann 'correct horse'",
    password: PASSWORD,
    hash:
      "$6$YQWb2v01/lLKUgoa$/2DdY4.WFNaEZgGksJvyUK9jzY7.wA/ewOjTBRwoWXcTWlZVPaV1oGilCQrST.2PCoonHP3k3oJj84VGU7SCF/",
  },
  {
    made: "openssl passwd -5 'correct horse'",
    password: PASSWORD,
    hash: "$5$7kYiIHH50axyUNXC$9DtxOa4wPd1HqNxo9nGH8SwrnHDmSrXX6l2F5uapiP/",
  },
  {
    made: "openssl passwd -5 -salt longlong (40 times 'long ')",
    password: LONG,
    hash: "$5$longlong$Muz7NFApPfqq6dMfVArM5/jZ06vEUBY0FxRNvgYYQZ6",
  },
  {
    made: "mkpasswd -m sha256crypt -R 12345 -S saltstring pw",
    password: "pw",
    hash:
      "$5$rounds=12345$saltstring$04nmrB2LCVh/mRYff4m0yiqpjthuqb04Xtm6kFlFaS9",
  },
  {
    made: "doveadm pw -s SHA256-CRYPT -p 'correct horse'",
    password: PASSWORD,
    hash:
      "{SHA256-CRYPT}$5$16r/NNlDCOhsllwz$DOdFIziIFRtSbRaBXc228C5h.ZsMFBaQnkWqUGiF1l8",
  },
  {
    made:
      'python3 -c \'from passlib.hash import scrypt; print(scrypt.using(rounds=10, salt=b"0123456789abcdef").hash("correct horse"))\'',
    password: PASSWORD,
    hash:
      "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
  },
  {
    made:
      `python3 -c 'from passlib.hash import scrypt; print(scrypt.using(rounds=14, parallelism=2).hash("${UNICODE}"))'`,
    password: UNICODE,
    hash:
      "$scrypt$ln=14,r=8,p=2$t/b+/x9DyPl/j5EyJiSkFA$QmtjDMpSz8HV5FXfBR2Gu7FLinWrttaMi1wyNInRnxA",
  },
  {
    made: "doveadm pw -s SSHA -p 'correct horse'",
    password: PASSWORD,
    hash: "{SSHA}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn",
  },
  {
    made: "doveadm pw -s SSHA256 -p 'correct horse'",
    password: PASSWORD,
    hash: "{SSHA256}zbyI6qwSFKw5hk0bpkr08LaWlucWTrSla3Lhdl/G5PzoyMkZ",
  },
  {
    made: `doveadm pw -s SSHA512 -p '${UNICODE}'`,
    password: UNICODE,
    hash:
      "{SSHA512}Q75jaMTB0IA/cXAPfRdxSICsCgOeDRjnLPs4glAjcg+CdYw3uyPvFoNniPiNSLt0u4XKDUAGn+y+bTtXjivNW+YPs+E=",
  },
  {
    made: "htpasswd -nbs ann 'correct horse'",
    password: PASSWORD,
    hash: "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
  },
  {
    made: "doveadm pw -s SHA256 -p 'correct horse'",
    password: PASSWORD,
    hash: "{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
  },
  {
    made: "doveadm pw -s SHA512 -p 'correct horse'",
    password: PASSWORD,
    hash:
      "{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew==",
  },
  {
    made: "htpasswd -nbm ann 'correct horse'",
    password: PASSWORD,
    hash: "$apr1$rj0wuxJr$f6zHpqzwruR.gOctHDGEB1",
  },
  {
    made: "openssl passwd -apr1 -salt longlong (40 times 'long ')",
    password: LONG,
    hash: "$apr1$longlong$A/C3M9pY.47DAm0Vb4r5i0",
  },
  {
    made: "openssl passwd -apr1 -salt a pw",
    password: "pw",
    hash: "$apr1$a$ij/Aka61dStEs8vTEvpfK1",
  },
  {
    made: "openssl passwd -1 'correct horse'",
    password: PASSWORD,
    hash: "$1$TVW4XYns$mc7RUI9lXV2Anv/t4E5mN/",
  },
  {
    made: "doveadm pw -s MD5-CRYPT -p 'correct horse'",
    password: PASSWORD,
    hash: "{MD5-CRYPT}$1$xPx/Hhpx$AgyehnoGSCPoO8rGlNZHm/",
  },
  {
    made: "doveadm pw -s PLAIN -p 'correct horse'",
    password: PASSWORD,
    hash: "{PLAIN}correct horse",
  },
];

/** What other programs make and nothing here can compute; then its name. */
export const REFUSED: readonly (readonly [string, string, string])[] = [
  [
    "mkpasswd -m yescrypt pw",
    "$y$j9T$6c89JYCmV6kLr1kaU.gVp1$/zwlenslilo3lKiOiHFuf8T/ZPPTsQVLxd7d5BDpRi/",
    "yescrypt ($y$)",
  ],
  [
    "mkpasswd -m gost-yescrypt pw",
    "$gy$j9T$BP1xlY/0WRErbQBjSijgu0$BeHn/xUUzhrrkYPqvb0TTDIDCDfd4aC8NXK5XV2LcR1",
    "gost-yescrypt ($gy$)",
  ],
  [
    "mkpasswd -m scrypt pw",
    "$7$CU..../....SL96ZCIVMJ59pe8Bn6luH0$oqz7xLEuZgOw5bLps713jCtVoVRckrsZxqktNPPGFD9",
    "scrypt as crypt(3) writes it ($7$)",
  ],
  [
    "mkpasswd -m sunmd5 pw",
    "$md5,rounds=73848$L1WnIORD$$pA/BnSrFOzABdHhQYrdJB1",
    "SunMD5 ($md5$)",
  ],
  [
    "mkpasswd -m nt pw",
    "$3$$8cc19b6a8cfeac299c2871c86b38de28",
    "the NT hash ($3$)",
  ],
  [
    "doveadm pw -s PBKDF2 -p pw",
    "{PBKDF2}$1$MSrq57TxNkoQdePk$5000$c25d7f2eb07efe49c3290f55fecda2defae9b3b0",
    "{PBKDF2}",
  ],
  [
    "doveadm pw -s SCRAM-SHA-256 -p pw",
    "{SCRAM-SHA-256}4096,/h9IgLsODHkkSf9JbfMO6A==,Id+XwbpzPegE3RV5DXq9juNlxigbR+PuzvtGm+00d7k=,y2dC+CgmHG8zujGmy3lMjmgWIbnofhY5Ng3pKPfOig8=",
    "{SCRAM-SHA-256}",
  ],
  [
    "doveadm pw -s PLAIN-MD5 -p pw",
    "{PLAIN-MD5}8fe4c11451281c094a6578e6ddbf5eed",
    "{PLAIN-MD5}",
  ],
  [
    "doveadm pw -s CRAM-MD5 -p pw",
    "{CRAM-MD5}d3b327e40131add8092e3cb400c690fb8c4c989cd9d0f4ebd9644e4aa7b64cfa",
    "{CRAM-MD5}",
  ],
  [
    "doveadm pw -s SMD5 -p pw",
    "{SMD5}8w3iz8qRLwnf1T/tSY+OwP5Q+EI=",
    "{SMD5}",
  ],
  ["doveadm pw -s DES-CRYPT -p pw", "{DES-CRYPT}YkOO7rNHLrPr6", "{DES-CRYPT}"],
];
