# SPDX-License-Identifier: Apache-2.0
"""with-ssh: host keys of its own, adduserkey, sudo docker, no passwords."""

import pytest

SSH = ("ssh -i key -o IdentitiesOnly=yes -o UserKnownHostsFile=known -o GlobalKnownHostsFile=none "
       "-o StrictHostKeyChecking=yes -o BatchMode=yes -p 10022")


@pytest.fixture
def host(outer, name, here):
    outer.sh(f"docker run -d --name {name} -p 10022:22 dinv:with-ssh")
    outer.ready(name)
    outer.until(lambda: "Server listening on 0.0.0.0" in outer.logs(name), name)
    outer.sh(f"""
ssh-keygen -q -t ed25519 -N '' -f key
printf '[127.0.0.1]:10022 %s\\n' "$(docker exec {name} cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" > known
""", cwd=here)
    return name


def test_a_key_is_added_and_docker_runs_inside(outer, host, here):
    outer.give_images(host)
    assert outer.run(f"{SSH} derek@127.0.0.1 true", cwd=here).status == 255
    outer.sh(f'docker exec -d {host} /usr/bin/adduserkey derek "$(cat key.pub)"', cwd=here)
    outer.until(lambda: outer.run(f"{SSH} derek@127.0.0.1 true", cwd=here).status == 0, host)
    said = outer.sh(f"{SSH} derek@127.0.0.1 sudo docker run --rm busybox date +%Y", cwd=here)
    assert said.startswith("20")
    # a second time changes nothing, a second key is added
    outer.sh(f'docker exec {host} adduserkey derek "$(cat key.pub)"', cwd=here)
    assert outer.sh(f"docker exec {host} sh -c 'wc -l < /home/derek/.ssh/authorized_keys'") == "1"
    # root: by key alone
    assert outer.run(f"{SSH} root@127.0.0.1 true", cwd=here).status == 255
    outer.sh(f'docker exec {host} adduserkey root "$(cat key.pub)"', cwd=here)
    assert outer.sh(f"{SSH} root@127.0.0.1 docker ps -q", cwd=here) == ""
    # no password is ever asked for
    methods = outer.run(f"{SSH} -o PreferredAuthentications=none nobody@127.0.0.1 true", cwd=here).err
    assert "Permission denied (publickey)." in methods
    for wrong in ("derek nokey", "'a b' \"$(cat key.pub)\"", "-x \"$(cat key.pub)\"",
                  "eve 'command=\"x\" ssh-ed25519 AAAA'", "eve", "eve 'ssh-ed25519 AAAA'"):
        assert outer.run(f"docker exec {host} adduserkey {wrong}", cwd=here).status != 0, wrong
    assert outer.run(f"docker exec {host} id eve").status != 0
    # the host keys are this container's, and stay
    before = outer.sh(f"docker exec {host} cat /etc/ssh/ssh_host_ed25519_key.pub")
    outer.sh(f"docker stop {host} && docker start {host}")
    outer.ready(host)
    assert outer.sh(f"docker exec {host} cat /etc/ssh/ssh_host_ed25519_key.pub") == before
    outer.until(lambda: outer.run(f"{SSH} derek@127.0.0.1 true", cwd=here).status == 0, host)
    other = outer.sh("docker run --rm --entrypoint sh dinv:with-ssh -c 'ls /etc/ssh'")
    assert "ssh_host" not in other
