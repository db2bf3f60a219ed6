/** The fields of a customer, for a new one and for an old one. */

import type { CustomerView } from '../../api/types';
import { CheckField, NumberField, TextField } from '../../ui/field';
import type { Form } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

export type CustomerValues = Pick<
  CustomerView,
  'name' | 'contact' | 'email' | 'phone' | 'street' | 'postalCode' | 'city' | 'country' | 'vatId' | 'paymentDays' | 'isActive'
>;

export const NEW_CUSTOMER: CustomerValues = {
  name: '',
  contact: '',
  email: '',
  phone: '',
  street: '',
  postalCode: '',
  city: '',
  country: 'DE',
  vatId: '',
  paymentDays: 14,
  isActive: true,
};

export function valuesOf(customer: CustomerView): CustomerValues {
  const { name, contact, email, phone, street, postalCode, city, country, vatId, paymentDays, isActive } = customer;
  return { name, contact, email, phone, street, postalCode, city, country, vatId, paymentDays, isActive };
}

/** What each field is called. */
export function useLabels(): Record<keyof CustomerValues, string> {
  const { say } = useTongue();
  const names = Object.keys(NEW_CUSTOMER) as (keyof CustomerValues)[];
  return Object.fromEntries(names.map((name) => [name, say(`customer.${name}`)])) as Record<keyof CustomerValues, string>;
}

export function CustomerFields({ form, isNew }: { form: Form<CustomerValues>; isNew: boolean }) {
  const { say } = useTongue();
  const labels = useLabels();
  return (
    <>
      <TextField form={form} name="name" label={labels.name} required maxLength={160} wide autofocus={isNew} />
      <TextField form={form} name="contact" label={labels.contact} maxLength={120} />
      <TextField form={form} name="email" label={labels.email} type="email" maxLength={254} />
      <TextField form={form} name="phone" label={labels.phone} type="tel" maxLength={40} />
      <TextField form={form} name="vatId" label={labels.vatId} maxLength={20} />
      <TextField form={form} name="street" label={labels.street} maxLength={120} wide />
      <TextField form={form} name="postalCode" label={labels.postalCode} maxLength={12} />
      <TextField form={form} name="city" label={labels.city} maxLength={80} />
      <TextField form={form} name="country" label={labels.country} hint={say('customer.country.hint')} required maxLength={2} />
      <NumberField form={form} name="paymentDays" label={labels.paymentDays} min={0} max={365} />
      {!isNew && <CheckField form={form} name="isActive" label={labels.isActive} />}
    </>
  );
}
