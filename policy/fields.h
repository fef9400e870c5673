/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_FIELDS_H
#define POLICY_FIELDS_H
struct fields { int x; };
extern const struct fields fields_container_create, fields_container_update,
    fields_container_exec, fields_exec_start, fields_auth,
    fields_image_commit, fields_volume_create, fields_network_create,
    fields_network_connect, fields_network_disconnect;
#endif
