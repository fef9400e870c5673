#include "fields.h"
const struct fields fields_container_create, fields_container_update,
    fields_container_exec, fields_exec_start, fields_auth,
    fields_image_commit, fields_volume_create, fields_network_create,
    fields_network_connect, fields_network_disconnect;
