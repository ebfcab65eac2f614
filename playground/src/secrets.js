/** Whether a field, argument or variable of this name may hold a secret, such as `newPassword` and `refreshToken`. */
export function isSecret(name) {
  return !/^passkey(Id|Name)$/.test(name) && /pass|secret|token(?!Delivery)|code|key|credential|otp/i.test(name);
}
