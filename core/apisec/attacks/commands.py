"""Names of commands, by what they need to be no prose."""

from __future__ import annotations

from typing import FrozenSet


def _words(text: str) -> FrozenSet[str]:
    return frozenset(text.split())


# Names that are no words of a language. Behind a separator they need nothing more.
SURE: FrozenSet[str] = _words(
    """
    apk apt-get aria2c arping attrib bash bcdedit bitsadmin bunzip2 busybox bzcat bzgrep bzless bzmore
    certutil chcp chgrp chmod chown chpasswd chroot clang++ cmdkey crontab cscript csh diskpart
    dmesg dnf dpkg dpkg-query dsquery egrep esentutl fgrep findstr forfiles fsutil fuser g++ gawk
    gdb getconf getent getfacl getmac gpasswd gpresult gpupdate groupadd gunzip hexdump hostnamectl htpasswd
    icacls ifconfig ifdown ifup initctl insmod iostat ipconfig iptables irb journalctl killall ksh ksh93
    ldconfig logname lsblk lscpu lsmod lsof lspci lsusb ltrace luajit lwp-download lwp-mirror lwp-request
    lzcat lzma mawk md5sum mimikatz mkdir mkfifo mknod mkpasswd mksh mktemp modprobe mshta msiexec mysqladmin
    mysqldump mysqlshow nawk nbtstat ncat netcat netplan netsh netstat nfsstat nft nmap nohup nslookup openssl
    pacman passwd pathping pgrep php-cgi php5 php7 php8 phpinfo phpversion pidof ping6 pkill poweroff powershell
    printenv procdump psexec pstree pwsh python2 python3 rbash rcp regedit regsvr32 renice rexec rlogin rmdir
    robocopy rpm rsh rsync rundll32 rusers rwho schtasks scp setenv setfacl setsid sftp sha1sum sha256sum
    showmount smbclient socat ssh-keygen sshd strace sudo sysctl sysprep systemctl systeminfo
    takeown taskkill tasklist tclsh tcpdump tcsh telnet tftp traceroute tracert tshark uname uncompress unlzma
    unsetenv unxz update-rc.d useradd userdel usermod uudecode uuencode visudo vmstat vssadmin w3m wevtutil wget
    whoami wmic wscript xcopy xmodmap xxd xzcat xzgrep xzless ypcat yum zcat zdiff zegrep zfgrep zgrep zsh
    """
)
# Short names and such that are words too. At an end they count where nobody ends a sentence with them.
SHORT: FrozenSet[str] = _words(
    """
    ar arp as at awk base32 base64 bg bzip2 cat cc clang cls cmake cmd cp curl dd df dig dir du ed env fg ftp
    gcc gem grep gzip history hostname id ip jobs jq ld ln lp ls lua make mv nc nice nl node npm od perl perl5
    pg php pip ps pwd python rm route ruby sed sh ss ssh stty su sysinfo tac tar tee tput tr ul unzip uptime
    users ver vi vim vol w wc who whois xargs xz yum zip
    """
)
# Words of English: they need an argument that only a command line has.
WORDS: FrozenSet[str] = _words(
    """
    add-apt-repository alias ash assoc at base batch bind builtin call cargo case cd cipher color command comp
    convert coproc copy crash crontab cut dash date declare del diff dirs do docker echo emacs enable erase
    eval exec exit expand export expr factor false fc file find finger fish fold for format free function git
    go goto halt hash head help host if install java javac join kill kubectl last less let link local locate
    login logout look lpr lynx mail mapfile md mesg mkdir mongo more mount move mysql nano net patch pico ping
    popd print printf psql pushd query rd read readonly reboot redis-cli reg ren rename return ruby rustc sc
    screen script select service set shift shutdown skill sleep sort source split sqlite3 start strings tail
    talk test time timeout title tmux top touch trap true tsort type typeset ulimit umask umount uniq unlink
    unset until updatedb users wait wall watch where whereis which while write yes zdump zless zmore
    """
)
# What a value may be as a whole that somebody has a server run.
LOOKING: FrozenSet[str] = _words(
    """
    bash bitsadmin cat certutil chmod chown cmd crontab cscript csh dash dir env getent id ifconfig ipconfig ksh
    ls lsof lwp-download lwp-request mkfifo mknod mshta nc ncat netcat netstat nslookup powershell printenv ps
    regsvr32 rm rundll32 sh socat sudo systeminfo tac taskkill tasklist tcsh telnet tftp uname uptime wget
    whoami wmic wscript xxd zcat zsh
    """
)
# What only reads what a pipe gives it: nothing that an attacker has use for, unless it is given a file.
READERS: FrozenSet[str] = _words(
    """
    column cut egrep fgrep fmt fold grep head jq less more nl rev sort tail tr uniq wc
    """
)
# What a shell's script is held together by, and no attack is made of.
CONTROL: FrozenSet[str] = _words(
    """
    alias break declare exit export false hash local readonly return set shift test trap true typeset unset yes
    """
)
# What stands behind a pipe with any argument.
FILTERS: FrozenSet[str] = _words(
    """
    awk grep jq sed tee tr wc xargs
    """
)
# What runs the word behind it.
RUNS: FrozenSet[str] = _words(
    """
    builtin call command do env eval exec nice start then time timeout watch xargs
    """
)
