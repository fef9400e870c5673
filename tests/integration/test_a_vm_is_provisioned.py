# SPDX-License-Identifier: Apache-2.0
"""The files that make a VM: read by those who will read them, short of a VM.

What their script does on a Debian is in test_dinv_on_a_debian_host.py.
"""

import os
import re
import shutil
import subprocess

import pytest

IMAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../images")
USER_DATA = os.path.join(IMAGES, "cloud-init/user-data")
SCRIPT = os.path.join(IMAGES, "cloud-init/provision.sh")
VAGRANTFILE = os.path.join(IMAGES, "vagrant/Vagrantfile")

# A Vagrant that notes what it is told, and plays the trigger.
RUBY = r"""
class Noted
  def initialize(path) = @path = path
  def method_missing(name, *args, **more, &block)
    puts "#{@path}.#{name} #{args.inspect} #{more.inspect}"
    if name == :ruby
      block.call(nil, self)
    elsif name == :download
      puts "mode #{File.stat(args[1]).mode.to_s(8)}"
    elsif block
      block.call(Noted.new("#{@path}.#{name}"))
    end
    self
  end
  def respond_to_missing?(*) = true
end
module Vagrant
  def self.configure(version) = yield(Noted.new("vm#{version}"))
end
load ARGV[0]
"""


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def ran(*argv, **env):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **env})


def test_the_user_data_has_the_script_word_for_word():
    block = read(USER_DATA).partition("/usr/local/sbin/dinv-provision\n")[2]
    block = block.partition("    content: |\n")[2].partition("\nruncmd:")[0]
    assert re.sub(r"(?m)^      ", "", block) == read(SCRIPT)
    assert ran("sh", "-n", SCRIPT).returncode == 0


def test_cloud_init_takes_the_user_data():
    if shutil.which("cloud-init") is None:
        pytest.skip("no cloud-init here")
    done = ran("cloud-init", "schema", "--config-file", USER_DATA)
    assert done.returncode == 0 and "Valid cloud-config" in done.stdout, done


def test_the_vagrantfile_says_what_it_should(tmp_path):
    if shutil.which("ruby") is None:
        pytest.skip("no ruby here")
    os.makedirs(tmp_path / "images/cloud-init")
    shutil.copytree(os.path.dirname(VAGRANTFILE), tmp_path / "images/vagrant",
                    ignore=shutil.ignore_patterns("client", ".vagrant"))
    done = ran("ruby", "-e", RUBY, str(tmp_path / "images/vagrant/Vagrantfile"),
               DINV_DEB="/a/dinv.deb", DINV_PORT="12376")
    assert done.returncode == 0, done
    forwarded = [x for x in done.stdout.splitlines() if "forwarded_port" in x]
    assert len(forwarded) == 1
    for part in ("2376", "12376", "127.0.0.1"):
        assert part in forwarded[0]
    assert done.stdout.count("mode 100600") == 3
    assert "/home/vagrant/dinv-client/key.pem" in done.stdout
